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
INSERT INTO "candidates" VALUES('59846d5747da69b3dc7f8b58e5568380','db3357ece5fd43aebaaf737ee8d9bdc9',0,10.0,10.0,60.0,60.0,'opacity',0.9);
INSERT INTO "candidates" VALUES('1f5c4b331360161792d13a82d0f4b014','db3357ece5fd43aebaaf737ee8d9bdc9',1,100.0,20.0,150.0,80.0,'opacity',0.6);
INSERT INTO "candidates" VALUES('0fdbffbfc23770735f30bc9f2d0ddf35','db3357ece5fd43aebaaf737ee8d9bdc9',2,5.0,120.0,50.0,160.0,'opacity',0.2);
INSERT INTO "candidates" VALUES('69cd0bef7ac968e72eefb5c3fb480cbc','89b4fd16957c41d39945b223acd0aeb2',0,10.0,10.0,60.0,60.0,'opacity',0.9);
INSERT INTO "candidates" VALUES('8679cb1b0d4813cedf13e9d681c8a248','89b4fd16957c41d39945b223acd0aeb2',1,100.0,20.0,150.0,80.0,'opacity',0.6);
INSERT INTO "candidates" VALUES('bdfdf7c7ccacbd8e9045cfa97043f278','89b4fd16957c41d39945b223acd0aeb2',2,5.0,120.0,50.0,160.0,'opacity',0.2);
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
INSERT INTO "events" VALUES(1,'fd0bae452ba04e34b0cc1adfb489ff1e','1.2.3','accept','1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "59846d5747da69b3dc7f8b58e5568380", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [10.0, 10.0, 60.0, 60.0], "category": "opacity", "status": "open", "score": 0.9, "derived_from": "59846d5747da69b3dc7f8b58e5568380", "note": ""}','{"id": "59846d5747da69b3dc7f8b58e5568380", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [10.0, 10.0, 60.0, 60.0], "category": "opacity", "status": "accepted", "score": 0.9, "derived_from": "59846d5747da69b3dc7f8b58e5568380", "note": ""}','Dr. Who','2026-11-27T21:23:18.402744+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0',NULL,'[]');
INSERT INTO "events" VALUES(2,'3efa6d1c761a481c94e9b5d880015706','1.2.3','reject','1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "1f5c4b331360161792d13a82d0f4b014", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "open", "score": 0.6, "derived_from": "1f5c4b331360161792d13a82d0f4b014", "note": ""}','{"id": "1f5c4b331360161792d13a82d0f4b014", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "rejected", "score": 0.6, "derived_from": "1f5c4b331360161792d13a82d0f4b014", "note": ""}','Dr. Who','2026-11-27T21:23:18.406476+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0',NULL,'[]');
INSERT INTO "events" VALUES(3,'5cdceb538c9e4ab8bb32a255e8be1e33','1.2.3','undo','1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "1f5c4b331360161792d13a82d0f4b014", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "rejected", "score": 0.6, "derived_from": "1f5c4b331360161792d13a82d0f4b014", "note": ""}','{"id": "1f5c4b331360161792d13a82d0f4b014", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "open", "score": 0.6, "derived_from": "1f5c4b331360161792d13a82d0f4b014", "note": ""}','Dr. Who','2026-11-27T21:23:18.415847+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0','3efa6d1c761a481c94e9b5d880015706','[]');
INSERT INTO "events" VALUES(4,'9cb0b24d655e4a3995bd42906b7a30e4','1.2.3','redo','1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "1f5c4b331360161792d13a82d0f4b014", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "open", "score": 0.6, "derived_from": "1f5c4b331360161792d13a82d0f4b014", "note": ""}','{"id": "1f5c4b331360161792d13a82d0f4b014", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "rejected", "score": 0.6, "derived_from": "1f5c4b331360161792d13a82d0f4b014", "note": ""}','Dr. Who','2026-11-27T21:23:18.424076+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0','5cdceb538c9e4ab8bb32a255e8be1e33','[]');
INSERT INTO "events" VALUES(5,'c28a948707d747688ca72922d50f9ae1','1.2.3','add','1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',NULL,'{"id": "4937f5f7f06e4b1abbcafc5201744797", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [7.0, 7.0, 20.0, 20.0], "category": "effusion", "status": "added", "score": null, "derived_from": null, "note": ""}','Dr. Who','2026-11-27T21:23:18.429825+00:00',0.5,1,NULL,'','',NULL,'[]');
INSERT INTO "events" VALUES(6,'badae439d4294f3db433efb9ef45cd51','1.2.3','sign',NULL,NULL,NULL,NULL,NULL,'Dr. Who','2026-11-27T21:23:18.441697+00:00',0.5,1,NULL,'','',NULL,'[{"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
INSERT INTO "events" VALUES(7,'7e57ef0abcc647db82252b227c87d4c3','1.2.3','reopen',NULL,NULL,NULL,NULL,NULL,'Dr. Other','2026-11-27T21:23:18.455475+00:00',0.5,1,NULL,'','','badae439d4294f3db433efb9ef45cd51','[{"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
INSERT INTO "events" VALUES(8,'2af6681fefb24f41ab6c8aa4a5e94654','1.2.3','sign',NULL,NULL,NULL,NULL,NULL,'Dr. Other','2026-11-27T21:23:18.465039+00:00',0.5,1,NULL,'','','7e57ef0abcc647db82252b227c87d4c3','[{"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
INSERT INTO "events" VALUES(9,'638b799d679942a8b9ddf7f3d03778a3','1.2.3','add','1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',NULL,'{"id": "52dfe0809a8f4cdb835baeb719b9ca54", "image": {"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [7.0, 7.0, 20.0, 20.0], "category": "effusion", "status": "added", "score": null, "derived_from": null, "note": ""}','Dr. Other','2026-11-27T21:23:18.475724+00:00',0.5,1,NULL,'','',NULL,'[]');
INSERT INTO "events" VALUES(10,'c379113705494645a4696ed27653ee33','1.2.3','sign',NULL,NULL,NULL,NULL,NULL,'Dr. Other','2026-11-27T21:23:18.488027+00:00',0.5,1,NULL,'','',NULL,'[{"uid": "1.2.3.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
INSERT INTO "events" VALUES(11,'bdfc283856984f42a1b35a88784dfb7f','1.2.4','accept','1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "69cd0bef7ac968e72eefb5c3fb480cbc", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [10.0, 10.0, 60.0, 60.0], "category": "opacity", "status": "open", "score": 0.9, "derived_from": "69cd0bef7ac968e72eefb5c3fb480cbc", "note": ""}','{"id": "69cd0bef7ac968e72eefb5c3fb480cbc", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [10.0, 10.0, 60.0, 60.0], "category": "opacity", "status": "accepted", "score": 0.9, "derived_from": "69cd0bef7ac968e72eefb5c3fb480cbc", "note": ""}','Dr. Who','2026-11-27T21:23:18.530504+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0',NULL,'[]');
INSERT INTO "events" VALUES(12,'70ecedb32f16482a9d0d581af95f1720','1.2.4','reject','1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "8679cb1b0d4813cedf13e9d681c8a248", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "open", "score": 0.6, "derived_from": "8679cb1b0d4813cedf13e9d681c8a248", "note": ""}','{"id": "8679cb1b0d4813cedf13e9d681c8a248", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "rejected", "score": 0.6, "derived_from": "8679cb1b0d4813cedf13e9d681c8a248", "note": ""}','Dr. Who','2026-11-27T21:23:18.548061+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0',NULL,'[]');
INSERT INTO "events" VALUES(13,'d5c9d0b998e14b92ba66da46d1e4604d','1.2.4','undo','1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "8679cb1b0d4813cedf13e9d681c8a248", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "rejected", "score": 0.6, "derived_from": "8679cb1b0d4813cedf13e9d681c8a248", "note": ""}','{"id": "8679cb1b0d4813cedf13e9d681c8a248", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "open", "score": 0.6, "derived_from": "8679cb1b0d4813cedf13e9d681c8a248", "note": ""}','Dr. Who','2026-11-27T21:23:18.556008+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0','70ecedb32f16482a9d0d581af95f1720','[]');
INSERT INTO "events" VALUES(14,'dcae5245d12d412fa7c553fe8cae1962','1.2.4','redo','1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"id": "8679cb1b0d4813cedf13e9d681c8a248", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "open", "score": 0.6, "derived_from": "8679cb1b0d4813cedf13e9d681c8a248", "note": ""}','{"id": "8679cb1b0d4813cedf13e9d681c8a248", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [100.0, 20.0, 150.0, 80.0], "category": "opacity", "status": "rejected", "score": 0.6, "derived_from": "8679cb1b0d4813cedf13e9d681c8a248", "note": ""}','Dr. Who','2026-11-27T21:23:18.562673+00:00',0.5,1,'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','chest-xray','1.0','d5c9d0b998e14b92ba66da46d1e4604d','[]');
INSERT INTO "events" VALUES(15,'62f7f8233e18454cbbe1d079fd91693c','1.2.4','add','1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',NULL,'{"id": "614aba1d7fee4c9d8a6bbfe70eddd350", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [7.0, 7.0, 20.0, 20.0], "category": "effusion", "status": "added", "score": null, "derived_from": null, "note": ""}','Dr. Who','2026-11-27T21:23:18.573063+00:00',0.5,1,NULL,'','',NULL,'[]');
INSERT INTO "events" VALUES(16,'476e3afe75544374a7c13b02107aa047','1.2.4','sign',NULL,NULL,NULL,NULL,NULL,'Dr. Who','2026-11-27T21:23:18.600073+00:00',0.5,1,NULL,'','',NULL,'[{"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
INSERT INTO "events" VALUES(17,'25772fd105d94d4aaa4b10c231fc98dc','1.2.4','reopen',NULL,NULL,NULL,NULL,NULL,'Dr. Other','2026-11-27T21:23:18.630168+00:00',0.5,1,NULL,'','','476e3afe75544374a7c13b02107aa047','[{"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
INSERT INTO "events" VALUES(18,'d157588c1bda4e04bcef6e19d2f1cec8','1.2.4','sign',NULL,NULL,NULL,NULL,NULL,'Dr. Other','2026-11-27T21:23:18.660062+00:00',0.5,1,NULL,'','','25772fd105d94d4aaa4b10c231fc98dc','[{"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
INSERT INTO "events" VALUES(19,'2bc0e52bb9c94f4db4f560393e8dec55','1.2.4','add','1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',NULL,'{"id": "5a745c265a7642bda96ba9a29084bfed", "image": {"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "box": [7.0, 7.0, 20.0, 20.0], "category": "effusion", "status": "added", "score": null, "derived_from": null, "note": ""}','Dr. Other','2026-11-27T21:23:18.677616+00:00',0.5,1,NULL,'','',NULL,'[]');
INSERT INTO "events" VALUES(20,'27d9e7ea84e54e49b4f5ece43be12f3c','1.2.4','sign',NULL,NULL,NULL,NULL,NULL,'Dr. Other','2026-11-27T21:23:18.700028+00:00',0.5,1,NULL,'','',NULL,'[{"uid": "1.2.4.4", "frame_number": 1, "pixel_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]');
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
INSERT INTO "images" VALUES('1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','1.2.3','980e2b3c42dc64744dac4cb0db0a5ebc','{"path": "/films/image.dcm", "member": "", "uid": "1.2.3.4", "frame_number": 1, "number_of_frames": 1, "rows": 200, "columns": 300, "samples_per_pixel": 1, "photometric_interpretation": "MONOCHROME2", "study": {"uid": "1.2.3", "patient": {"name": "Doe^Jane", "id": "P1", "issuer": "Hospital", "birth_date": "", "sex": ""}, "date": "", "time": "", "description": "", "accession_number": "", "institution": ""}, "series": {"uid": "1.2.3.1", "number": 1, "description": "chest", "modality": "DX", "body_part": "CHEST"}, "instance_number": null, "view": "PA", "spacing": {"row": 0.0, "column": 0.0, "source": "uncalibrated"}, "geometry": null}',1);
INSERT INTO "images" VALUES('1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','1.2.4','b64a8e70131dbb7d574fc2ca97639fdb','{"path": "/films/image.dcm", "member": "", "uid": "1.2.4.4", "frame_number": 1, "number_of_frames": 1, "rows": 200, "columns": 300, "samples_per_pixel": 1, "photometric_interpretation": "MONOCHROME2", "study": {"uid": "1.2.4", "patient": {"name": "Doe^Jane", "id": "P2", "issuer": "Hospital", "birth_date": "", "sex": ""}, "date": "", "time": "", "description": "", "accession_number": "", "institution": ""}, "series": {"uid": "1.2.4.1", "number": 1, "description": "chest", "modality": "DX", "body_part": "CHEST"}, "instance_number": null, "view": "PA", "spacing": {"row": 0.0, "column": 0.0, "source": "uncalibrated"}, "geometry": null}',1);
CREATE TABLE meta (
	"key" VARCHAR(64) NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('schema_version','1');
INSERT INTO "meta" VALUES('secret','e053652c63674ee62ecfac247e14a0761eb2647fb5a797067d67aafd89c1ed8e');
INSERT INTO "meta" VALUES('created_at','2026-11-27T21:23:18.317636+00:00');
INSERT INTO "meta" VALUES('opened_at','2026-11-27T21:23:18.339278+00:00');
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
	FOREIGN KEY(image_uid, frame_number, pixel_sha256) REFERENCES images (uid, frame_number, pixel_sha256), 
	UNIQUE (id)
);
INSERT INTO "runs" VALUES(1,'db3357ece5fd43aebaaf737ee8d9bdc9','1.2.3.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','chest-xray','1.0','wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','cpu',0.01,'2026-11-27T21:23:18.393333+00:00');
INSERT INTO "runs" VALUES(2,'89b4fd16957c41d39945b223acd0aeb2','1.2.4.4',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','chest-xray','1.0','wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww','cpu',0.01,'2026-11-27T21:23:18.520341+00:00');
CREATE INDEX ix_images_study_uid ON images (study_uid);
CREATE INDEX ix_images_pixel_sha256 ON images (pixel_sha256);
CREATE INDEX runs_of_image ON runs (image_uid, frame_number, pixel_sha256);
CREATE INDEX ix_events_study_uid ON events (study_uid);
CREATE INDEX ix_candidates_run_id ON candidates (run_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('runs',2);
INSERT INTO "sqlite_sequence" VALUES('events',20);
COMMIT;
