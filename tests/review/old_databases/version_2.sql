BEGIN TRANSACTION;
CREATE TABLE candidates (
	id VARCHAR(64) NOT NULL, 
	run_id VARCHAR(64) NOT NULL, 
	position INTEGER NOT NULL, 
	x_min DOUBLE NOT NULL, 
	y_min DOUBLE NOT NULL, 
	x_max DOUBLE NOT NULL, 
	y_max DOUBLE NOT NULL, 
	category TEXT NOT NULL, 
	score DOUBLE NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run_id) REFERENCES runs (id)
);
INSERT INTO "candidates" VALUES('1a5a7730fe3c152b0db3f0ac27d9f1ee','2ab6b5ad752942ec872d2321cb67b05c',0,10.0,10.0,60.0,60.0,'opacity',0.9);
INSERT INTO "candidates" VALUES('3ff1262ea0dc3486bb5c6d93c4f049b5','2ab6b5ad752942ec872d2321cb67b05c',1,100.0,20.0,150.0,80.0,'opacity',0.6);
INSERT INTO "candidates" VALUES('42952ea0b9f3e86dcefb5a82193f4d00','2ab6b5ad752942ec872d2321cb67b05c',2,5.0,120.0,50.0,160.0,'opacity',0.2);
INSERT INTO "candidates" VALUES('b3fc37a8155391230867907012f1bd41','9f43383b2aad4405abb1f517adb61187',0,10.0,10.0,60.0,60.0,'opacity',0.9);
INSERT INTO "candidates" VALUES('bbf939c32e25b35c7da10657536ed0f9','9f43383b2aad4405abb1f517adb61187',1,100.0,20.0,150.0,80.0,'opacity',0.6);
INSERT INTO "candidates" VALUES('2d6d9f55665158579c3688cf8de0eb0d','9f43383b2aad4405abb1f517adb61187',2,5.0,120.0,50.0,160.0,'opacity',0.2);
CREATE TABLE events (
	sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR(64) NOT NULL, 
	study_uid VARCHAR(128) NOT NULL, 
	verb VARCHAR(16) NOT NULL, 
	image_uid VARCHAR(128), 
	frame_number INTEGER, 
	pixel_sha256 VARCHAR(64), 
	"before" JSON, 
	"after" JSON, 
	reader TEXT NOT NULL, 
	at VARCHAR(32) NOT NULL, 
	threshold DOUBLE NOT NULL, 
	ai_visible BOOLEAN NOT NULL, 
	weights_sha256 TEXT, 
	model_name TEXT NOT NULL, 
	model_version TEXT NOT NULL, 
	undoes VARCHAR(64), 
	covers JSON NOT NULL, 
	FOREIGN KEY(image_uid, frame_number, pixel_sha256) REFERENCES images (uid, frame_number, pixel_sha256), 
	UNIQUE (id), 
	FOREIGN KEY(undoes) REFERENCES events (id)
);
INSERT INTO "events" VALUES(1,'11e59cb2b2cf4293b128abe0c3dc7a7d','1.2.3','accept','1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "1a5a7730fe3c152b0db3f0ac27d9f1ee", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [10.0, 10.0, 60.0, 60.0], "category": "opacity", "status": "open", "score": 0.9, "derived_from": "1a5a7730fe3c152b0db3f0ac27d9f1ee", "note": ""}','{"id": "1a5a7730fe3c152b0db3f0ac27d9f1ee", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [10.0, 10.0, 60.0, 60.0], "category": "opacity", "status": "accepted", "score": 0.9, "derived_from": "1a5a7730fe3c152b0db3f0ac27d9f1ee", "note": ""}','Dr. Who','2026-11-27T21:23:23.730217+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0',NULL,'[]');
INSERT INTO "events" VALUES(2,'84a286a710134aeaae4a6ba9609bf197','1.2.3','reject','1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "3ff1262ea0dc3486bb5c6d93c4f049b5", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "open", "score": 0.6, "derived_from": "3ff1262ea0dc3486bb5c6d93c4f049b5", "note": ""}','{"id": "3ff1262ea0dc3486bb5c6d93c4f049b5", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "rejected", "score": 0.6, "derived_from": "3ff1262ea0dc3486bb5c6d93c4f049b5", "note": ""}','Dr. Who','2026-11-27T21:23:23.736514+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0',NULL,'[]');
INSERT INTO "events" VALUES(3,'f2facb17c5f24c84be58b60978ca4814','1.2.3','undo','1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "3ff1262ea0dc3486bb5c6d93c4f049b5", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "rejected", "score": 0.6, "derived_from": "3ff1262ea0dc3486bb5c6d93c4f049b5", "note": ""}','{"id": "3ff1262ea0dc3486bb5c6d93c4f049b5", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "open", "score": 0.6, "derived_from": "3ff1262ea0dc3486bb5c6d93c4f049b5", "note": ""}','Dr. Who','2026-11-27T21:23:23.748307+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0','84a286a710134aeaae4a6ba9609bf197','[]');
INSERT INTO "events" VALUES(4,'2d8382715a4944299a558c531ad6657a','1.2.3','redo','1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "3ff1262ea0dc3486bb5c6d93c4f049b5", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "open", "score": 0.6, "derived_from": "3ff1262ea0dc3486bb5c6d93c4f049b5", "note": ""}','{"id": "3ff1262ea0dc3486bb5c6d93c4f049b5", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "rejected", "score": 0.6, "derived_from": "3ff1262ea0dc3486bb5c6d93c4f049b5", "note": ""}','Dr. Who','2026-11-27T21:23:23.755964+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0','f2facb17c5f24c84be58b60978ca4814','[]');
INSERT INTO "events" VALUES(5,'4e5c10c81da8418e9dd2dee6a3b5d88e','1.2.3','add','1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',NULL,'{"id": "9ecd9582d72740918e41c69411461ed0", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [7.0, 7.0, 20.0, 20.0], "category": "effusion", "status": "added", "score": null, "derived_from": null, "note": ""}','Dr. Who','2026-11-27T21:23:23.766030+00:00',0.5,1,NULL,'','',NULL,'[]');
INSERT INTO "events" VALUES(6,'c261709ab9c54f53a24838d95704d876','1.2.3','sign',NULL,NULL,NULL,NULL,NULL,'Dr. Who','2026-11-27T21:23:23.776601+00:00',0.5,1,NULL,'','',NULL,'[{"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
INSERT INTO "events" VALUES(7,'ebebce4731994ac4b5a0efefa7fb29cb','1.2.3','reopen',NULL,NULL,NULL,NULL,NULL,'Dr. Other','2026-11-27T21:23:23.782316+00:00',0.5,1,NULL,'','','c261709ab9c54f53a24838d95704d876','[{"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
INSERT INTO "events" VALUES(8,'f4e4eb1bf2974a44a4280da3b065e852','1.2.3','sign',NULL,NULL,NULL,NULL,NULL,'Dr. Other','2026-11-27T21:23:23.797385+00:00',0.5,1,NULL,'','','ebebce4731994ac4b5a0efefa7fb29cb','[{"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
INSERT INTO "events" VALUES(9,'44e486e63b4547d98327bb324d5f73e6','1.2.3','add','1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',NULL,'{"id": "a978825fa4ca4361b6fa7717ae6d44ed", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [7.0, 7.0, 20.0, 20.0], "category": "effusion", "status": "added", "score": null, "derived_from": null, "note": ""}','Dr. Other','2026-11-27T21:23:23.812143+00:00',0.5,1,NULL,'','',NULL,'[]');
INSERT INTO "events" VALUES(10,'8cf48574cbf2434c8c500d1c2d0fc6ce','1.2.3','sign',NULL,NULL,NULL,NULL,NULL,'Dr. Other','2026-11-27T21:23:23.820253+00:00',0.5,1,NULL,'','',NULL,'[{"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
INSERT INTO "events" VALUES(11,'09058b2a11d8412c81e7b5cbf0e7e041','1.2.4','accept','1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "b3fc37a8155391230867907012f1bd41", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [10.0, 10.0, 60.0, 60.0], "category": "opacity", "status": "open", "score": 0.9, "derived_from": "b3fc37a8155391230867907012f1bd41", "note": ""}','{"id": "b3fc37a8155391230867907012f1bd41", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [10.0, 10.0, 60.0, 60.0], "category": "opacity", "status": "accepted", "score": 0.9, "derived_from": "b3fc37a8155391230867907012f1bd41", "note": ""}','Dr. Who','2026-11-27T21:23:23.860016+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0',NULL,'[]');
INSERT INTO "events" VALUES(12,'5f7490f03f054403a40e3c187cba0da2','1.2.4','reject','1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "bbf939c32e25b35c7da10657536ed0f9", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "open", "score": 0.6, "derived_from": "bbf939c32e25b35c7da10657536ed0f9", "note": ""}','{"id": "bbf939c32e25b35c7da10657536ed0f9", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "rejected", "score": 0.6, "derived_from": "bbf939c32e25b35c7da10657536ed0f9", "note": ""}','Dr. Who','2026-11-27T21:23:23.863986+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0',NULL,'[]');
INSERT INTO "events" VALUES(13,'6585cf3bf4794542894795b0d908ace0','1.2.4','undo','1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "bbf939c32e25b35c7da10657536ed0f9", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "rejected", "score": 0.6, "derived_from": "bbf939c32e25b35c7da10657536ed0f9", "note": ""}','{"id": "bbf939c32e25b35c7da10657536ed0f9", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "open", "score": 0.6, "derived_from": "bbf939c32e25b35c7da10657536ed0f9", "note": ""}','Dr. Who','2026-11-27T21:23:23.875959+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0','5f7490f03f054403a40e3c187cba0da2','[]');
INSERT INTO "events" VALUES(14,'6fb09cedd1e145a89473c4b76211cf81','1.2.4','redo','1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "bbf939c32e25b35c7da10657536ed0f9", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "open", "score": 0.6, "derived_from": "bbf939c32e25b35c7da10657536ed0f9", "note": ""}','{"id": "bbf939c32e25b35c7da10657536ed0f9", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "rejected", "score": 0.6, "derived_from": "bbf939c32e25b35c7da10657536ed0f9", "note": ""}','Dr. Who','2026-11-27T21:23:23.883993+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0','6585cf3bf4794542894795b0d908ace0','[]');
INSERT INTO "events" VALUES(15,'a513658584f24387a38c9bc31deb178a','1.2.4','add','1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',NULL,'{"id": "9230ff62d1984b0f8fee7b0a40a99b28", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [7.0, 7.0, 20.0, 20.0], "category": "effusion", "status": "added", "score": null, "derived_from": null, "note": ""}','Dr. Who','2026-11-27T21:23:23.894385+00:00',0.5,1,NULL,'','',NULL,'[]');
INSERT INTO "events" VALUES(16,'b2f87ea67dbe40fcad852e253805dc72','1.2.4','sign',NULL,NULL,NULL,NULL,NULL,'Dr. Who','2026-11-27T21:23:23.902164+00:00',0.5,1,NULL,'','',NULL,'[{"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
INSERT INTO "events" VALUES(17,'ff4ef74a27e043c2b3330e1a79250e79','1.2.4','reopen',NULL,NULL,NULL,NULL,NULL,'Dr. Other','2026-11-27T21:23:23.914836+00:00',0.5,1,NULL,'','','b2f87ea67dbe40fcad852e253805dc72','[{"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
INSERT INTO "events" VALUES(18,'07298460143244eeb62c3c875a474d0a','1.2.4','sign',NULL,NULL,NULL,NULL,NULL,'Dr. Other','2026-11-27T21:23:23.919929+00:00',0.5,1,NULL,'','','ff4ef74a27e043c2b3330e1a79250e79','[{"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
INSERT INTO "events" VALUES(19,'3f9adc94606b4b8d875fd7be6d021b9a','1.2.4','add','1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',NULL,'{"id": "7c3356745f274ae9984368581b33f603", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [7.0, 7.0, 20.0, 20.0], "category": "effusion", "status": "added", "score": null, "derived_from": null, "note": ""}','Dr. Other','2026-11-27T21:23:23.926062+00:00',0.5,1,NULL,'','',NULL,'[]');
INSERT INTO "events" VALUES(20,'8e60f136e036434995f75c5a556eb84d','1.2.4','sign',NULL,NULL,NULL,NULL,NULL,'Dr. Other','2026-11-27T21:23:23.937873+00:00',0.5,1,NULL,'','',NULL,'[{"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
CREATE TABLE images (
	uid VARCHAR(128) NOT NULL, 
	frame_number INTEGER NOT NULL, 
	pixel_sha256 VARCHAR(64) NOT NULL, 
	study_uid VARCHAR(128) NOT NULL, 
	patient_key VARCHAR(32) NOT NULL, 
	header JSON NOT NULL, 
	seen INTEGER NOT NULL, 
	PRIMARY KEY (uid, frame_number, pixel_sha256)
);
INSERT INTO "images" VALUES('1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','1.2.3','60af371645b9b1e7a73a92333572bca9','{"path": "/films/image.dcm", "member": "", "uid": "1.2.3.4", "frame_number": 1, "number_of_frames": 1, "rows": 200, "columns": 300, "samples_per_pixel": 1, "photometric_interpretation": "MONOCHROME2", "study": {"uid": "1.2.3", "patient": {"name": "Doe^Jane", "id": "P1", "issuer": "Hospital", "birth_date": "", "sex": ""}, "date": "", "time": "", "description": "", "accession_number": "", "institution": ""}, "series": {"uid": "1.2.3.1", "number": 1, "description": "chest", "modality": "DX", "body_part": "CHEST"}, "instance_number": null, "view": "PA", "spacing": {"row": 0.0, "column": 0.0, "source": "uncalibrated"}, "geometry": null}',1);
INSERT INTO "images" VALUES('1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','1.2.4','0f4f02ceb646222f549f0a4a0ac1d14b','{"path": "/films/image.dcm", "member": "", "uid": "1.2.4.4", "frame_number": 1, "number_of_frames": 1, "rows": 200, "columns": 300, "samples_per_pixel": 1, "photometric_interpretation": "MONOCHROME2", "study": {"uid": "1.2.4", "patient": {"name": "Doe^Jane", "id": "P2", "issuer": "Hospital", "birth_date": "", "sex": ""}, "date": "", "time": "", "description": "", "accession_number": "", "institution": ""}, "series": {"uid": "1.2.4.1", "number": 1, "description": "chest", "modality": "DX", "body_part": "CHEST"}, "instance_number": null, "view": "PA", "spacing": {"row": 0.0, "column": 0.0, "source": "uncalibrated"}, "geometry": null}',1);
CREATE TABLE meta (
	"key" VARCHAR(64) NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('schema_version','2');
INSERT INTO "meta" VALUES('secret','a8c165020b1e1438e1db37d7ebdf5180e9a0dff71f3af635c65a6b803a673036');
INSERT INTO "meta" VALUES('created_at','2026-11-27T21:23:23.675736+00:00');
INSERT INTO "meta" VALUES('opened_at','2026-11-27T21:23:23.694312+00:00');
CREATE TABLE runs (
	sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR(64) NOT NULL, 
	image_uid VARCHAR(128) NOT NULL, 
	frame_number INTEGER NOT NULL, 
	pixel_sha256 VARCHAR(64) NOT NULL, 
	model_name TEXT NOT NULL, 
	model_version TEXT NOT NULL, 
	weights_sha256 TEXT NOT NULL, 
	device TEXT NOT NULL, 
	score_floor DOUBLE NOT NULL, 
	at VARCHAR(32) NOT NULL, 
	precision VARCHAR(16), 
	image_findings JSON, 
	FOREIGN KEY(image_uid, frame_number, pixel_sha256) REFERENCES images (uid, frame_number, pixel_sha256), 
	UNIQUE (id)
);
INSERT INTO "runs" VALUES(1,'2ab6b5ad752942ec872d2321cb67b05c','1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','chest-xray','1.0','wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','cpu',0.01,'2026-11-27T21:23:23.719224+00:00','fp32','{}');
INSERT INTO "runs" VALUES(2,'9f43383b2aad4405abb1f517adb61187','1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','chest-xray','1.0','wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','cpu',0.01,'2026-11-27T21:23:23.852025+00:00','fp32','{}');
CREATE INDEX ix_images_pixel_sha256 ON images (pixel_sha256);
CREATE INDEX ix_images_study_uid ON images (study_uid);
CREATE INDEX runs_of_image ON runs (image_uid, frame_number, pixel_sha256);
CREATE INDEX ix_events_study_uid ON events (study_uid);
CREATE INDEX ix_candidates_run_id ON candidates (run_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('runs',2);
INSERT INTO "sqlite_sequence" VALUES('events',20);
COMMIT;
